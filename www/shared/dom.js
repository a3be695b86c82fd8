// The few DOM helpers every page wants.

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Writes only what differs, so that live regions stay quiet.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const emit = (target, type, detail) =>
  target.dispatchEvent(new CustomEvent(type, { detail }));
