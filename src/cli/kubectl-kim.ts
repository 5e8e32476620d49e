#!/usr/bin/env node
// "kubectl kim": kubectl finds it on the PATH by its name, and the program knows by that name what it is asked for.

import './main.ts';
