/** Texts with digits that are cut off where they stand, without an ellipsis that says so. It runs in the page. */
export function cutNumbers(): string[] {
  return [...document.querySelectorAll<HTMLElement>('#app *')]
    .filter((element) => element.children.length === 0 && /\d/.test(element.textContent ?? ''))
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => element.closest('.visually-hidden') === null)
    .flatMap((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      const text = range.getBoundingClientRect();
      for (let box: HTMLElement | null = element; box !== null; box = box.parentElement) {
        const style = getComputedStyle(box);
        if (style.overflowX === 'visible' || style.overflowX === 'auto') continue;
        const edge = box.getBoundingClientRect();
        const isCut = text.right > edge.right + 1 || text.left < edge.left - 1;
        if (!isCut) continue;
        if (style.textOverflow === 'ellipsis') return [];
        return [`${element.className}: ${element.textContent} in ${box.className}`];
      }
      return [];
    });
}
