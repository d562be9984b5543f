/** Reads random command lines of ssh by ssm-ssh, a second reading and ssh: npm run fuzz:argv -- [LINES] [SEED] */
import { fuzzArguments } from '../__tests__/helper/argv/fuzz.ts';

const [lines = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
const round = 5000;
let [accepted, arranged, differing] = [0, 0, 0];
for (let done = 0; done < lines; done += round) {
  const outcome = fuzzArguments(Math.min(round, lines - done), seed + done);
  accepted += outcome.accepted;
  arranged += outcome.arranged;
  differing += outcome.differing.length;
  for (const one of outcome.differing) console.log(one);
  const read = Math.min(done + round, lines);
  console.log(`${read} command lines (seed ${seed}): ssh accepts ${accepted}, ${differing} read differently`);
}
console.log(`${arranged} of them again with options of ours`);
process.exitCode = differing === 0 ? 0 : 1;
