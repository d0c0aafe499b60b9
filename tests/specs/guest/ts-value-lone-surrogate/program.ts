["a\ud800b", "\ud83d\ude00", "\\ud800"];
