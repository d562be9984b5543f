/**
 * Puts all changes of a file into its one text: at each place the program asks which change is active. So the bundles
 * are built once for the whole sample, and a run can record which tests reach which places.
 */
import ts from 'typescript';
import { changed } from '../changes.ts';
import type { Drawn } from './draw.ts';

interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: 'expression' | 'name' | 'statement';
  readonly changes: { readonly id: number; readonly text: string }[];
}

/** @param from the module that has `isActive`, as the file imports it */
export function withSwitches(source: string, changes: readonly Drawn[], from: string): string {
  const tree = ts.createSourceFile('x.ts', source, ts.ScriptTarget.ES2023, true);
  const places = new Map<string, Place>();
  for (const change of changes) {
    const { node, kind } = placeOf(tree, change);
    const [start, end] = [node.getStart(tree), node.getEnd()];
    const key = `${kind} ${String(start)} ${String(end)}`;
    const place = places.get(key) ?? { start, end, kind, changes: [] };
    const after = changed(source, change);
    place.changes.push({ id: change.id, text: after.slice(start, end + after.length - source.length) });
    places.set(key, place);
  }
  // The outer place first; a statement is around an expression of the same length.
  const ordered = [...places.values()].sort(
    (a, b) => a.start - b.start || b.end - a.end || (a.kind === 'statement' ? -1 : 1),
  );
  return `import { isActive as __is } from '${from}'; ${rendered(source, [0, source.length], ordered)}`;
}

function rendered(source: string, [from, to]: readonly [number, number], places: readonly Place[]): string {
  let text = '';
  let at = from;
  for (const [index, place] of places.entries()) {
    if (place.start < at) continue;
    const inner = places.slice(index + 1).filter(({ end }) => end <= place.end);
    text += source.slice(at, place.start) + around(place, rendered(source, [place.start, place.end], inner));
    at = place.end;
  }
  return text + source.slice(at, to);
}

function around({ kind, changes }: Place, original: string): string {
  if (kind === 'statement') {
    const cases = changes.map(({ id, text }) => `if (__is(${String(id)})) { ${text} } else `).join('');
    return `{ ${cases}{ ${original} } }`;
  }
  const cases = changes.map(({ id, text }) => `__is(${String(id)}) ? (${text}) : `).join('');
  return kind === 'name' ? `[${cases}${original}]` : `(${cases}(${original}))`;
}

function placeOf(tree: ts.SourceFile, change: Drawn): { node: ts.Node; kind: Place['kind'] } {
  let node: ts.Node = tree;
  const visit = (one: ts.Node): void => {
    if (one.getStart(tree) > change.start || one.getEnd() < change.end) return;
    node = one;
    ts.forEachChild(one, visit);
  };
  visit(tree);
  if (ts.isBinaryExpression(node.parent) && node.parent.operatorToken === node) {
    // Another operator can bind in another way to its neighbours.
    node = node.parent;
    while (ts.isBinaryExpression(node.parent) && !isAssignment(node.parent)) node = node.parent;
    return { node, kind: 'expression' };
  }
  if (ts.isExpressionStatement(node) || ts.isReturnStatement(node)) return { node, kind: 'statement' };
  const isName = (node.parent as Partial<ts.PropertyAssignment>).name === node;
  return { node, kind: isName ? 'name' : 'expression' };
}

const isAssignment = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
