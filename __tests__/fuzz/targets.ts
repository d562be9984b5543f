/** All parsers that are fuzzed, by name. */
import { answerTargets } from './targets/answers.ts';
import { gitTargets } from './targets/git.ts';
import { keyTargets } from './targets/keys.ts';
import { nameTargets } from './targets/names.ts';
import type { Target } from './target.ts';

export const targets: readonly Target[] = [...nameTargets, ...keyTargets, ...gitTargets, ...answerTargets];
