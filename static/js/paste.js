// What is pasted keeps its lines, also where the clipboard has them only as HTML. Any text may be
// longer than a message: it is all in the box, and the box says by how much.

const APART = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "BLOCKQUOTE", "PRE", "UL", "OL", "TABLE"]);
const LINES = new Set([...APART, "DIV", "LI", "TR", "DT", "DD", "SECTION", "ARTICLE", "HEADER", "FOOTER", "HR"]);

/** Wherever one writes messages. */
export function wirePaste() {
  document.addEventListener("paste", (event) => {
    const { target, clipboardData } = event;
    if (!target.matches("textarea")) return;
    const html = clipboardData.getData("text/html");
    const text = html && linesOf(html);
    if (count(text) <= count(clipboardData.getData("text/plain"))) return; // the browser does it well
    event.preventDefault();
    insert(target, text);
  });
}

const count = (text) => (text === "" ? -1 : text.split("\n").length);

/** At the cursor, and so that it can be undone. */
function insert(area, text) {
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** The text of a piece of HTML as one would see it: nothing of it is ever part of the page. */
export function linesOf(html) {
  const { body } = new DOMParser().parseFromString(bare(html), "text/html");
  return textOf(body, false)
    .replace(/\u0003*([\u0001\u0002])\u0003*/g, "$1")
    .replace(/\n(?=[\u0001\u0002])/g, "") // the last break of a block is no line
    .replace(/[\u0001\u0002]+/g, (breaks) => (breaks.includes("\u0002") ? "\n\n" : "\n"))
    .replaceAll("\u0003", " ")
    .replace(/^\n+|\n+$/g, "");
}

/** Without attributes: even in a document nobody sees, the page's policy would object to some. */
function bare(html) {
  const tag = /<(\/?[a-z][\w-]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi;
  const typed = (rest) => (/white-space:\s*pre/i.test(rest) ? " class=pre" : "");
  return html
    .replace(/<(script|style)\b[^]*?<\/\1>/gi, "")
    .replace(tag, (_, name, rest) => `<${name}${typed(rest)}>`);
}

// Between blocks stands \u0001, or \u0002 where a line is left free; several of them are one. A space
// that is one however many are written is \u0003.
function textOf(node, asTyped) {
  if (node.nodeType === Node.TEXT_NODE) return asTyped ? node.data : node.data.replace(/[ \t\n\r]+/g, "\u0003");
  if (node.nodeType !== Node.ELEMENT_NODE || node.nodeName === "TEMPLATE") return "";
  if (node.nodeName === "BR") return "\n";
  const kept = asTyped || node.matches("pre, .pre");
  const inside = Array.from(node.childNodes, (child) => textOf(child, kept)).join("");
  if (LINES.has(node.nodeName) && inside === "\n") return "\u0002"; // an empty line, as editors write it
  const edge = APART.has(node.nodeName) ? "\u0002" : LINES.has(node.nodeName) ? "\u0001" : "";
  const cell = node.matches(":is(td, th) + :is(td, th)") ? "\t" : "";
  return cell + edge + inside + edge;
}
