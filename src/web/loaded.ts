import { useEffect, useState } from 'preact/hooks';

/** A part of the page that is loaded when it is first opened: whoever never looks at it does not load it. `load` is read once. */
export function useLoaded<View>(isOpen: boolean, load: () => Promise<View>): View | null {
  const [view, setView] = useState<View | null>(null);
  useEffect(() => {
    if (isOpen && view === null) void load().then((loaded) => setView(() => loaded));
  }, [isOpen]);
  return view;
}
