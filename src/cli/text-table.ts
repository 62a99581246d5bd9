/** Lines of cells as text, in columns; the first line is the heads. */
export function textTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, at) =>
    table.reduce((most, line) => Math.max(most, line[at]?.length ?? 0), 0),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return `${table.map(line).join('\n')}\n`;
}
