import { useEffect, useRef } from 'preact/hooks';
import { KEY_HELP } from './keys.js';

interface HelpProps {
  readonly open: boolean;
  readonly onClose: () => void;
}

/** The keys, and how to read the page. A native dialog: it holds the focus and closes with Escape by itself. */
export function HelpDialog({ open, onClose }: HelpProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEY_HELP.map(([keys, meaning]) => (
          <div class="pair" key={keys}>
            <dt>{keys}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>
        Point at a ladder row to see its exact quantity and what it costs to trade through every level up to
        it. Scroll the ladder with the wheel, or by dragging the price column; Follow brings the best prices
        back to the middle. A dimmed book may not be trusted: the line above it says why.
      </p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
