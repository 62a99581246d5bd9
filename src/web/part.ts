/** Finds the parts of a panel that its painter writes to; a missing one is a fault of the page itself. */
export function partsOf(panel: HTMLElement): (selector: string) => HTMLElement {
  return (selector) => {
    const found = panel.querySelector<HTMLElement>(selector);
    if (found === null) throw new Error(`the page has no part ${selector}`);
    return found;
  };
}
