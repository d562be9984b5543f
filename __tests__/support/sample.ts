/** The rules for the sample of a long table that `npm test` runs. */

export interface Sample<Row> {
  readonly sample: readonly Row[];
  readonly rest: readonly Row[];
}

/** The first row of each kind. */
export function firstOfEachKind<Row>(rows: readonly Row[], kindOf: (row: Row) => string): Sample<Row> {
  const kinds = new Set<string>();
  const isFirst = (row: Row): boolean => {
    const kind = kindOf(row);
    return !kinds.has(kind) && kinds.add(kind).has(kind);
  };
  const firsts = new Set(rows.filter(isFirst));
  return { sample: [...firsts], rest: rows.filter((row) => !firsts.has(row)) };
}

/** The first row, and every nth after it. */
export function everyNth<Row>(rows: readonly Row[], n: number): Sample<Row> {
  const of = (wanted: boolean): readonly Row[] => rows.filter((_, at) => (at % n === 0) === wanted);
  return { sample: of(true), rest: of(false) };
}

/**
 * Each row with one of the columns, in turn: the first row with the first column, the second with the second.
 *
 * @param every takes only some rows: 3 for the first, the fourth and so on
 */
export function columnsInTurn<Row, Column>(
  rows: readonly Row[],
  columns: readonly Column[],
  every = 1,
): Sample<readonly [Row, Column]> {
  const pairs = rows.flatMap((row, at) =>
    columns.map((column, index) => [row, column, at % (every * columns.length) === every * index] as const),
  );
  const of = (wanted: boolean): (readonly [Row, Column])[] =>
    pairs.filter(([, , inTurn]) => inTurn === wanted).map(([row, column]) => [row, column] as const);
  return { sample: of(true), rest: of(false) };
}
