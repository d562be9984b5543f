/** `node bench/kms-memory.ts [SIGNATURES [INSTALLATION]]`: the memory of the agent in front as it is in dist, for a key in a local KMS. */
import { measureKmsFront } from '../__tests__/e2e/kms/front-memory.ts';

const signatures = Number(process.argv[2] ?? 10_000);
const memory = await measureKmsFront(signatures, process.argv[3]);
console.log(`megabytes, resident; ${signatures} signatures`);
console.table([memory]);
process.exitCode = memory.peak - memory.bare < 50 && memory.peak - memory.fifth < 5 ? 0 : 1;
