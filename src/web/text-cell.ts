/** An element whose text is set only when it changes, through one text node that stays. */
export class TextCell {
  readonly element: HTMLElement;
  readonly #node: Text;
  #text = '';

  constructor(element: HTMLElement) {
    this.element = element;
    this.#node = document.createTextNode('');
    // What an earlier cell of the element has left would stand beside it.
    element.replaceChildren(this.#node);
  }

  set(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#node.nodeValue = text;
  }
}

/** Sets or removes a data attribute, only when it differs: a write would restyle the element. */
export function setData(element: HTMLElement, name: string, value: string | null): void {
  if (value === null) {
    if (name in element.dataset) delete element.dataset[name];
  } else if (element.dataset[name] !== value) {
    element.dataset[name] = value;
  }
}

/** A new element of a class inside another: the rows are built once by it. */
export function addElement(parent: HTMLElement, tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  parent.appendChild(element);
  return element;
}
