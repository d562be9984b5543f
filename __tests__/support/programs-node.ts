/** The Node that runs a job's steps, and that the programs of hosts find first. */
import { dirname, join } from 'node:path';

/** The folder of the tests' own Node, or the one that `PROGRAMS_NODE` names: runners and hosts have other versions. */
export const nodeFolder = process.env['PROGRAMS_NODE'] ?? dirname(process.execPath);
export const programsNode = join(nodeFolder, 'node');
