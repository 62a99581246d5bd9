import { useEffect, useRef } from 'preact/hooks';
import type { Access } from './access.js';

interface TokenDialogProps {
  readonly access: Access;
  readonly open: boolean;
  readonly onClose: () => void;
}

/**
 * Asks for the token that the server wants. A native dialog: it holds the focus and closes with Escape by itself. The field
 * hides what is in it, for people look at screens together.
 */
export function TokenDialog({ access, open, onClose }: TokenDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  const give = (text: string) => {
    if (field.current !== null) field.current.value = '';
    access.give(text);
    if (access.wanted === undefined) onClose();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="token-title"
      aria-describedby="token-why"
      // The event comes later, when it may have been opened again.
      onClose={() => dialog.current?.open || onClose()}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          give(field.current?.value ?? '');
        }}
      >
        <h2 id="token-title">Token</h2>
        <p id="token-why" role="alert">
          {access.wanted ?? 'The server knows this page by the token that you gave.'}
        </p>
        <label>
          Paste a token
          <input ref={field} type="password" name="token" autocomplete="off" spellcheck={false} required />
        </label>
        <p>
          It is kept for this tab alone and sent to this server only. One in the address works, too, behind{' '}
          <code>#token=</code>.
        </p>
        <div class="buttons">
          <button type="submit">Connect</button>
          {access.token !== undefined && (
            <button type="button" onClick={() => give('')}>
              Forget it
            </button>
          )}
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </dialog>
  );
}
