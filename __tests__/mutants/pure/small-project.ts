/** For pure.test.ts: the verdicts on `src/keys/small.ts` of the project in argv, as JSON. */
import { explain } from './explained.ts';
import { instrument } from './instrumented.ts';
import { scoresOf, unmatched, verdictsWith } from './score.ts';
import { tryAll } from './try-all.ts';

const [root = ''] = process.argv.slice(2);
const file = 'src/keys/small.ts';
const explained = explain(file, {
  'value < 10 → value <= 10': 'the small project has it as a survivor',
  'value < 10 → value == 10': 'no operator becomes this one',
  'value < 10 → value >= 10': 'a test kills it',
});
const instrumented = await instrument(root, [file]);
const { verdicts, failing } = await tryAll(root, instrumented, { workers: 1, report: () => undefined });
const judged = verdictsWith(verdicts, explained);
const scores = scoresOf(judged, ['src/keys']);
console.log(JSON.stringify({ judged, scores, failing, stale: unmatched(judged, explained, [file]) }));
