/** Which tags each role of a chain is asked for with. Pure. */
import type { Role, SessionTag } from './caller.ts';

/**
 * The last role gets all tags. A transitive one is set at the first role that is assumed from another role, and AWS hands
 * it on: to set it again is an error.
 *
 * @param index of the role in the chain
 * @param byToken whether the first role is asked for with a token, which cannot carry tags
 * @source "Pass session tags in AWS STS" in the IAM User Guide
 */
export function tagsAt({ tags = [], through }: Role, index: number, byToken: boolean): readonly SessionTag[] {
  const [first, last] = [byToken ? 1 : 0, through.length];
  return tags.filter(({ transitive }) => index === (transitive ? first : last));
}
