/** The values that answers of services have in them. */
import fc from 'fast-check';

export const secret = 'hunter2secret';
/** Values of members: some are secret, some are what a parser asks for. */
export const words = fc.constantFrom(
  secret,
  'x',
  'Success',
  'Failed',
  'https://token.actions.githubusercontent.com',
  '2030-01-01T00:00:00Z',
);
