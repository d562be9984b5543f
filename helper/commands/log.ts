/** `log`: what the agents for keys in KMS signed. */
import { command } from '../command-line/command.ts';
import { invalid } from '../command-line/parse.ts';

export const log = command({
  name: 'log',
  summary: 'Print what the agents for keys in KMS signed and refused',
  synopsis: '[OPTION …]',
  examples: [['log', 'time, key, host, user and algorithm of each signature']],
  options: {},
  common: ['json', 'quiet', 'help', 'version'],
  run: async ({ words, values }, running) => {
    if (words.length > 0)
      throw invalid(`log takes no name: "${words.join(' ')}"`, 'leave it out: log prints all signatures');
    const { printLog } = await import('../log/print-log.ts');
    return await printLog(values, running);
  },
});
