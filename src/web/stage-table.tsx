import type { Session } from './session.js';
import { nsWords, STAGE_TITLES, type StageLine } from './stages.js';

/** Where the server's time goes, of all messages and of the instrument in view; how it is switched on where it is off. */
export function StageTable({ session }: { readonly session: Session }) {
  const { stages } = session;
  if (stages === null) return null;
  if (stages.every === 0) return <p class="stages-off">Stages of the server are not timed. {stages.fix}</p>;
  return (
    <div class="stages" data-stages={stages.stamped}>
      <Stages caption={`Server stages, 1 in ${stages.every} messages`} lines={stages.all} />
      {stages.own.length > 0 && stages.instrument === session.selected?.facts.name && (
        <Stages caption={stages.instrument} lines={stages.own} />
      )}
    </div>
  );
}

function Stages({ caption, lines }: { readonly caption: string; readonly lines: readonly StageLine[] }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">stage</th>
          <th scope="col">p50</th>
          <th scope="col">p99</th>
          <th scope="col" title="One message in ten thousand is slower">
            p99.99
          </th>
          <th scope="col">max</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ stage, count, p50Ns, p99Ns, p9999Ns, maxNs }) => (
          <tr key={stage} data-stage={stage} title={`${STAGE_TITLES[stage] ?? stage}, ${count} messages`}>
            <th scope="row">{stage}</th>
            {[p50Ns, p99Ns, p9999Ns, maxNs].map((ns, at) => (
              <td key={['p50', 'p99', 'p9999', 'max'][at]}>{count === 0 ? '–' : nsWords(ns)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
