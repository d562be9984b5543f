/** Which tags are sent for each role of a chain. Pure. */
import type { Role, SessionTag } from './caller.ts';

/**
 * The last role gets all tags. A transitive tag is set at the first role that is assumed from another role. AWS passes it
 * on to the next roles, and refuses a request that sets it again.
 *
 * @param index of the role in the chain
 * @param byToken whether a token assumes the first role: such a request cannot have tags
 * @source "Pass session tags in AWS STS" in the IAM User Guide
 */
export function tagsAt({ tags = [], through }: Role, index: number, byToken: boolean): readonly SessionTag[] {
  const [first, last] = [byToken ? 1 : 0, through.length];
  return tags.filter(({ transitive }) => index === (transitive ? first : last));
}
