import { describe, expect, it } from '@jest/globals';
import { defaultSelection } from '../../support/suite/selection.ts';

describe('npm test', () => {
  it.each([[''], ['--silent'], ['--seed=7'], ['--seed 7'], ['-w 2 --seed 7']])(
    'runs the default selection with the options "%s"',
    (args) => {
      expect(defaultSelection(args.split(' ').filter(Boolean))).toBe('usual');
    },
  );

  it.each([['routing'], ['--silent routing'], ['--seed 7 routing'], ['-t KEY_NOT_FOUND']])(
    'runs everything that "%s" names',
    (args) => {
      expect(defaultSelection(args.split(' '))).toBe('all');
    },
  );
});
