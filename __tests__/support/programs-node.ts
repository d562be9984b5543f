/** The Node that the programs of hosts find first. */
import { dirname } from 'node:path';

/** The folder of the tests' own Node, or the one that `PROGRAMS_NODE` names: hosts have other versions. */
export const nodeFolder = process.env['PROGRAMS_NODE'] ?? dirname(process.execPath);
