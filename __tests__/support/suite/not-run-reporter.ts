/** Prints, at the end, the tests that this machine could not run, and what to install for them. */
import { existsSync, readFileSync } from 'node:fs';
import { notRunFile } from './leftovers.ts';

export default class NotRunReporter {
  onRunComplete(): void {
    const file = notRunFile(process.env['SUITE_FOLDER'] ?? '');
    if (!existsSync(file)) return;
    const reasons = new Set(readFileSync(file, 'utf8').trim().split('\n'));
    process.stderr.write(`\nNot everything was run here. ${[...reasons].sort().join('; ')}.\n`);
  }
}
