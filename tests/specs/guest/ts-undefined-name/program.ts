unknownThing + 1;
