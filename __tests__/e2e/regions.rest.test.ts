import '../support/suite/rest.ts';
import './regions.test.ts';
