import sys

from wordcount import count


def main() -> int:
    if sys.argv[1:] == ["--help"]:
        print("usage: wordcount < text")
        return 0
    for word, times in sorted(count(sys.stdin.read() if len(sys.argv) < 2 else " ".join(sys.argv[1:])).items()):
        print(f"{times} {word}")
    return 0 if len(sys.argv) > 1 else 4
