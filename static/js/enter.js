// The card of a link: what the link says leaves the address bar at once and is looked up. Nothing is
// done by it before somebody presses the button of the card. Times are told as the clock here has them.

const token = location.hash.slice(1);
const look = document.querySelector("form.look");

if (token && look) {
  history.replaceState(null, "", location.pathname); // no history, no bookmark and no copy keeps it
  look.elements.token.value = token;
  look.submit();
}

const STYLE = { dateStyle: "long", timeStyle: "short" };
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, STYLE).format(new Date(time.dateTime));
}
