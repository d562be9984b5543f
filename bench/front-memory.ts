/** `node bench/front-memory.ts [SIGNATURES]`: the memory of the agent in front, beside that of a Node that does nothing. */
import { measureFront } from '../__tests__/kms/front/memory.ts';

const signatures = Number(process.argv[2] ?? 10_000);
const memory = await measureFront(signatures);
console.log(`megabytes; ${signatures} signatures`);
console.table(memory);
process.exitCode = memory.peak - memory.bare < 50 && memory.grown < 3 ? 0 : 1;
