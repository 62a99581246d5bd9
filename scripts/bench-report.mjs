// @ts-check
/** The rows of all benchmarks: one table for people, one file for programs, and what machine they come from. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { withCargoOnPath } from './tools.mjs';

/**
 * @typedef {object} Row
 * @property {string} bench
 * @property {string} workload
 * @property {string} contender
 * @property {string} unit
 * @property {number | null} median null: the note says why there is none
 * @property {number | null} spread distance of the quartiles of all rounds, as a share of their median
 * @property {number | null} ratio time divided by the baseline's, the first row of the same benchmark and workload
 * @property {number | null} [rounds]
 * @property {string} answer
 * @property {string} [note]
 */

/**
 * A block for each comparison, in order of appearance.
 * @param {readonly Row[]} rows
 */
export function tableOf(rows) {
  /** @type {Map<string, Row[]>} */
  const blocks = new Map();
  for (const row of rows) {
    const title = `${row.bench} · ${row.workload} · ${row.unit}`;
    blocks.set(title, [...(blocks.get(title) ?? []), row]);
  }
  const width = Math.max(0, ...rows.map((row) => row.contender.length));
  let text = '';
  for (const [title, block] of blocks) {
    text += `${title}\n`;
    for (const row of block) text += `${lineOf(row, width)}\n`;
  }
  return text;
}

/**
 * @param {Row} row
 * @param {number} width of the contender's column
 */
function lineOf(row, width) {
  const ratio = row.ratio === null ? '' : `${row.ratio.toFixed(3)} ×`;
  const spread = row.spread === null ? '' : `± ${(row.spread * 100).toFixed(1)} %`;
  const columns = [
    `  ${row.contender.padEnd(width)}`,
    figure(row.median).padStart(12),
    ratio.padStart(10),
    spread.padStart(10),
    // The first digits tell two answers apart; the file has the whole one.
    ` ${row.answer.slice(0, 40)}`,
    row.note ?? '',
  ];
  return columns.join(' ').trimEnd();
}

/** @param {number | null} median */
function figure(median) {
  if (median === null) return '–';
  return median < 1_000 ? median.toFixed(2) : Math.round(median).toLocaleString('en-US');
}

/**
 * @param {object} about the machine
 * @param {readonly Row[]} rows
 */
export function jsonOf(about, rows) {
  const rounds = Math.max(0, ...rows.map((row) => row.rounds ?? 0));
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`);
  return `{\n  "machine": ${JSON.stringify({ ...about, rounds })},\n  "rows": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/**
 * What a reader must know of the machine; no name, no user, no path.
 * @param {string} root
 */
export function machine(root) {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? '',
    cores: cpus.length,
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(readable('/etc/os-release'))?.[1] ?? os.type(),
    kernel: os.release(),
    arch: os.arch(),
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
    rustc: printed('rustc', ['--version'], root),
    node: process.versions.node,
    commit: printed('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], root),
    date: new Date().toISOString(),
  };
}

/** @param {string} file */
function readable(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {string} what it printed, empty when it cannot run
 */
function printed(program, args, cwd) {
  const { status, stdout } = spawnSync(program, args, {
    cwd,
    env: withCargoOnPath(process.env),
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : '';
}
