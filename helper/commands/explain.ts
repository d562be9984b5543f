/** `explain`: which key or credential would be offered for a URL or a host, from which setting, and why. It asks no AWS. */
import { command, type Running } from '../command-line/command.ts';
import { invalid, type Line } from '../command-line/parse.ts';

export const explain = command({
  name: 'explain',
  summary: 'Say which key would be offered for a URL or a host, from which setting, and why',
  synopsis: 'URL | HOST [--json]',
  examples: [
    [
      'explain git@github.com:acme/lib.git',
      'for git: exit code 0 if a key is offered, 1 if none is, 2 for a bad URL',
    ],
    ['explain https://github.com/acme/lib.git', 'which credential git gets'],
    ['explain ec2-user@i-0123456789abcdef0', 'for ssm-ssh, and EC2 hosts'],
  ],
  options: {},
  common: ['json', 'help', 'version'],
  run: runExplain,
});

/** Loaded here, because other commands do not need it. */
async function runExplain(line: Line<Readonly<Record<string, never>>>, running: Running): Promise<number> {
  const [text = '', ...more] = [...line.words, ...(line.behind ?? [])];
  if (text === '' || more.length > 0)
    throw invalid('explain takes one URL or host', 'write explain git@github.com:acme/lib.git');
  const { explainDestination } = await import('../explain/destination.ts');
  const { asJson, asText } = await import('../explain/explanation.ts');
  const explanation = await explainDestination(text, running);
  running.out(line.values.json ? asJson(explanation) : asText(explanation));
  return explanation.offered ? 0 : 1;
}
