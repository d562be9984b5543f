/** `npm run demo`: runs the main job without an AWS account and without GitHub. `--json` prints JSON. */
import { parseArgs, styleText } from 'node:util';
import { play } from './play.ts';
import { transcript } from './transcript.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log('npm run demo            # a transcript\nnpm run demo -- --json  # the same as JSON');
} else {
  if (process.stderr.isTTY) process.stderr.write('starting a local AWS and a git host …\n');
  const played = await play();
  // styleText itself checks the terminal and NO_COLOR.
  console.log(
    values.json ? JSON.stringify(played, null, 2) : transcript(played, (text) => styleText('bold', text)),
  );
  process.exitCode = played.ok ? 0 : 1;
}
