/** Sends random, truncated, repeated and damaged frames, and measures the memory: npm run fuzz:tunnel -- [FRAMES] [SEED] */
import { fuzz } from '../__tests__/ec2/session-manager/fuzz.ts';

const [frames = 1_000_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
/** Each round is a separate conversation, so memory that grows from round to round is a leak. */
const round = 50_000;

/** After a garbage collection. */
function megabytes(): number {
  for (const gc of [globalThis.gc, globalThis.gc]) gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return Math.round((heapUsed + arrayBuffers) / 1_000_000);
}

let first = 0;
for (let done = 0; done < frames; done += round) {
  const { bytes, mostKept } = fuzz(Math.min(round, frames - done), seed + done);
  const used = megabytes();
  first ||= used;
  console.log(
    `${done + round} frames (seed ${seed}): ${bytes} right bytes, ${mostKept} messages kept at most, ${used} MB`,
  );
}
const grown = megabytes() - first;
console.log(`memory grew by ${grown} MB after the first round`);
if (grown > 60) throw new Error('memory grows');
