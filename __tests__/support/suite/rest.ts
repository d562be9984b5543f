/** The first import of a NAME.rest.test.ts. */
import { takeTheRest } from '../parts.ts';

takeTheRest();
