/** All parsers that are fuzzed, by name. */
import { awsTargets } from './targets/aws.ts';
import { gitTargets } from './targets/git.ts';
import { githubTargets } from './targets/github.ts';
import { keyTargets } from './targets/keys.ts';
import { nameTargets } from './targets/names.ts';
import { sshTargets } from './targets/ssh.ts';
import { serviceTargets } from './targets/services.ts';
import { storedTargets } from './targets/stored.ts';
import type { AsyncTarget, Target } from './target.ts';

export const targets: readonly Target[] = [
  ...nameTargets,
  ...keyTargets,
  ...gitTargets,
  ...githubTargets,
  ...awsTargets,
  ...sshTargets,
];

export const asyncTargets: readonly AsyncTarget[] = [...serviceTargets, ...storedTargets];
