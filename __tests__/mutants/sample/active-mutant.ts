/** Copied into the changed tree: says which change is active, or records which places are reached. */
import { appendFileSync, readFileSync } from 'node:fs';

/** The copy has the folder in its place. Other users start programs in it, and folders of jobs hold copies of them. */
const folder = 'FOLDER';
/** `record`, `off`, or the number of the active change. */
const state = read();
const seen = new Set<number>();

function read(): string {
  try {
    return readFileSync(`${folder}/active`, 'utf8');
  } catch {
    return 'off';
  }
}

export function isActive(id: number): boolean {
  if (state === 'record' && !seen.has(id)) {
    seen.add(id);
    const { testFile = process.env['MUTANTS_TEST'] ?? '?' } = globalThis as { testFile?: string };
    try {
      appendFileSync(`${folder}/reached`, `${String(id)} ${testFile}\n`);
    } catch {
      // A test of a full disk, for example: then this place counts as not reached.
    }
  }
  return state === String(id);
}
