import type { Session } from './session.js';
import { type SourceView, sourceLines, sourceNote } from './sources.js';
import { clockWords } from './wording.js';

const KIND_WORDS: Readonly<Record<SourceView['kind'], string>> = {
  live: 'live',
  recording: 'recording',
  embedded: 'simulated',
};

/** Where the books come from, and how each source does. */
export function SourceList({ session }: { readonly session: Session }) {
  return (
    <section class="panel sources" aria-labelledby="sources-title">
      <h2 id="sources-title">Sources</h2>
      {session.sources.map((source) => (
        <div class="source" key={source.name} data-source={source.name}>
          <p class="source-head">
            <span class="source-name">{source.name}</span>
            <span class="source-kind" data-kind={source.kind}>
              {KIND_WORDS[source.kind]}
            </span>
          </p>
          <Note source={source} />
          <dl>
            {sourceLines(source, clockWords).map(({ label, value, title, alert }) => (
              <div class="pair" key={label} title={title}>
                <dt>{label}</dt>
                <dd data-alert={alert ? '' : undefined}>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </section>
  );
}

function Note({ source }: { readonly source: SourceView }) {
  const note = sourceNote(source, clockWords);
  return note === null ? null : (
    <p class="source-note" title={note.title}>
      {note.text}
    </p>
  );
}
