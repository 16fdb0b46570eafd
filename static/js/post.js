// Owns one request that sends a file and tells how far it is, which fetch cannot.

const SILENT = 90_000; // ms in which nothing moved: the line is dead

/**
 * Sends a body to an address. `moved(bytes)` hears how many have gone; `signal` ends it. Gives the
 * answer as {status, …} with the fields of its JSON; without an answer the status is 0.
 */
export function post(address, body, { moved, signal }) {
  const request = new XMLHttpRequest();
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => request.abort(), SILENT);
  };
  return new Promise((resolve) => {
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded }) => (wait(), moved(loaded));
    request.onloadend = () => (clearTimeout(timer), resolve(answerIn(request)));
    signal.addEventListener("abort", () => request.abort());
    wait();
    request.send(body);
  });
}

function answerIn({ status, responseText }) {
  try {
    return { ...JSON.parse(responseText), status };
  } catch {
    return { status }; // not the server's own
  }
}
