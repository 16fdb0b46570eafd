// The two ways a node comes to be: by name, or from a <template>.

export function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

export const clone = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
