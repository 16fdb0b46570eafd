// Owns what happens to files that are pasted or dropped: nothing yet, but it is said, and a file never
// opens in place of the chat.

/** `refuse()` says that pictures cannot be sent. */
export function wirePictures(refuse) {
  const files = ({ dataTransfer, clipboardData }) => (dataTransfer ?? clipboardData)?.types.includes("Files");
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => {
      if (!files(event)) return;
      event.preventDefault();
      if (name === "drop") refuse();
    });
  }
  addEventListener("paste", (event) => {
    if (files(event) && !event.clipboardData.types.includes("text/plain")) refuse();
  });
}
