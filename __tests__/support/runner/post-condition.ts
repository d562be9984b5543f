/** `post-if`: whether a post step runs after the job's steps. */
import type { StepResult } from './step.ts';

export function holds(condition: string, outcomes: readonly StepResult['outcome'][]): boolean {
  const cancelled = outcomes.includes('cancelled');
  const failed = outcomes.includes('failure');
  const meanings: Readonly<Record<string, boolean>> = {
    'always()': true,
    'success()': !failed && !cancelled,
    'failure()': failed && !cancelled,
    'cancelled()': cancelled,
    '!cancelled()': !cancelled,
  };
  const meaning = meanings[condition.trim()];
  if (meaning === undefined) throw new Error(`cannot evaluate post-if '${condition}'`);
  return meaning;
}
