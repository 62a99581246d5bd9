/**
 * What is copied is exact, whatever the page shows: numbers are rounded, cut into thousands and shortened to be read, and
 * a copy of such a text is another number.
 */

/** A part of the page that knows the exact numbers behind its text. */
export interface CopySource {
  readonly element: HTMLElement;
  /** Rows in the order in which they are shown. */
  rows(): Iterable<Element>;
  /** The exact text of a row: decimals with tabs between them. Empty for a row that shows nothing. */
  rowText(row: Element): string;
  /** That of a cell alone; undefined where the cell's own text is exact. */
  cellText(row: Element, cell: Element): string | undefined;
  /** The exact text of the row that a reader has chosen, in view or not: a copy without a selection is of it; null = of all in view. */
  chosenText(): string | null;
}

const sources = new Set<CopySource>();

/** Copies from a part of the page are its exact text from now on; the result ends that. */
export function copyExactly(source: CopySource): () => void {
  sources.add(source);
  return () => sources.delete(source);
}

/** Takes part in each copy of the page; the result ends that. */
export function watchCopies(): () => void {
  document.addEventListener('copy', onCopy);
  return () => document.removeEventListener('copy', onCopy);
}

/** Copies the chosen row of the part that has the focus, or all of its rows. False where the browser does not allow it. */
export function copyFocused(): boolean {
  getSelection()?.removeAllRanges();
  // Beside the clipboard's own interface, which pages from plain HTTP have not, this is what browsers offer.
  return document.execCommand('copy');
}

function onCopy(event: ClipboardEvent): void {
  const { clipboardData, target } = event;
  if (clipboardData === null || event.defaultPrevented) return;
  if (target instanceof Element && target.closest('input, textarea') !== null) return;
  const selection = getSelection();
  const text = selection === null || selection.isCollapsed ? focusedText(target) : selectedText(selection);
  if (text === '') return;
  clipboardData.setData('text/plain', text);
  event.preventDefault();
}

/** `target`: of the event; a command has none but the page. */
function focusedText(target: EventTarget | null): string {
  const holds = ({ element }: CopySource): boolean =>
    element.contains(document.activeElement) || (target instanceof Node && element.contains(target));
  const source = [...sources].find(holds);
  if (source === undefined) return '';
  const chosen = source.chosenText();
  if (chosen === null) return linesOf(source, source.rows());
  return chosen === '' ? '' : `${chosen}\n`;
}

/** Of parts that know their numbers the selected rows, or the one cell; of anything else what is shown, without the commas in numbers. */
function selectedText(selection: Selection): string {
  const cell = cellOf(selection);
  if (cell !== undefined) return cell;
  const parts = [...sources]
    .filter(({ element }) => selection.containsNode(element, true))
    .sort((one, other) => (isBefore(one.element, other.element) ? -1 : 1));
  const text = parts
    .map((source) =>
      linesOf(
        source,
        [...source.rows()].filter((row) => selection.containsNode(row, true)),
      ),
    )
    .join('');
  return text === '' ? withoutThousands(selection.toString()) : text;
}

function linesOf(source: CopySource, rows: Iterable<Element>): string {
  return [...rows]
    .map((row) => source.rowText(row))
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** The exact text of the one cell that a selection is within; undefined where it is within none. */
function cellOf({ anchorNode, focusNode }: Selection): string | undefined {
  for (const source of sources) {
    for (const row of source.rows()) {
      if (!row.contains(anchorNode) || !row.contains(focusNode)) continue;
      const cell = [...row.children].find((one) => one.contains(anchorNode) && one.contains(focusNode));
      return cell === undefined ? undefined : source.cellText(row, cell);
    }
  }
  return undefined;
}

function isBefore(one: Node, other: Node): boolean {
  return (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
}

/** A text without the commas that divide its numbers into thousands. */
export function withoutThousands(text: string): string {
  return text.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
}
