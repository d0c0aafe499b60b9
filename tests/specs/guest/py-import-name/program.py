from json import lods
