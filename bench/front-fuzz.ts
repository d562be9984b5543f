/** Sends random and damaged messages to the agent in front, and measures the memory: npm run fuzz:front -- [MESSAGES] [SEED] */
import { fuzz } from '../__tests__/kms/front/fuzz.ts';

const [messages = 200_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
/** Each round is a separate agent, so memory that grows from round to round is a leak. */
const round = 20_000;

/** After a garbage collection. */
function megabytes(): number {
  for (const gc of [globalThis.gc, globalThis.gc]) gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return Math.round((heapUsed + arrayBuffers) / 1_000_000);
}

let first = 0;
for (let done = 0; done < messages; done += round) {
  const { signed } = await fuzz(Math.min(round, messages - done), seed + done);
  const used = megabytes();
  first ||= used;
  console.log(`${done + round} messages (seed ${seed}): ${signed} permitted signatures, ${used} MB`);
}
const grown = megabytes() - first;
console.log(`memory grew by ${grown} MB after the first round`);
if (grown > 20) throw new Error('memory grows');
