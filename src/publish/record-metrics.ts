import type { RecordStatus } from '../engine.js';
import type { OpenMetrics } from './open-metrics.js';

/** Writes how far a record of what is received has come. */
export function writeRecord(out: OpenMetrics, record: RecordStatus): void {
  out.gauge(
    'record_running',
    'Whether records are being taken; 0 = its files cannot take them',
    Number(record.isRecording),
  );
  out.counter('record_records', 'Records taken', record.records);
  out.gauge('record_acknowledged', 'Records that are kept, as record.sync means it', record.acknowledged);
  out.counter('record_missed', 'Records that its files could not take', record.missed);
  out.counter('record_written_bytes', 'Bytes written, before they are packed', record.bytes, 'bytes');
  out.counter('record_segments', 'Segments begun', record.segments);
  out.counter('record_sealed', 'Segments packed', record.sealed);
  out.gauge('record_unsealed', 'Whole segments that are not packed', record.unsealed);
  out.counter('record_let_go', 'Segments removed, because they were too old or too many', record.letGo);
}
