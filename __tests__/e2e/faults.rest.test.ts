import '../support/suite/rest.ts';
import './faults.test.ts';
