// Answers what Go's libraries make of texts: one JSON request a line, one JSON answer a line.
//
// A request is ["yaml"|"shlex"|"quote"|"duration", TEXT]; the answer is {"ok": …} or {"error": …}.
// With the argument "printable" it prints the ranges of characters that strconv.Quote leaves as they
// are.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/shlex"
	"sigs.k8s.io/yaml"
)

func answer(kind, text string) (any, error) {
	switch kind {
	case "yaml":
		result, err := yaml.YAMLToJSON([]byte(text))
		return string(result), err
	case "shlex":
		return shlex.Split(text)
	case "quote":
		return strconv.Quote(text), nil
	case "duration":
		result, err := time.ParseDuration(text)
		return result.Nanoseconds(), err
	}
	return nil, fmt.Errorf("no such library: %s", kind)
}

func printable() {
	start := rune(-1)
	for r := rune(0); r <= utf8.MaxRune+1; r++ {
		prints := r <= utf8.MaxRune && strconv.IsPrint(r)
		if prints && start < 0 {
			start = r
		}
		if !prints && start >= 0 {
			fmt.Printf("%x-%x\n", start, r-1)
			start = -1
		}
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "printable" {
		printable()
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var request [2]string
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			panic(err)
		}
		result, err := answer(request[0], request[1])
		if err != nil {
			_ = out.Encode(map[string]string{"error": err.Error()})
			continue
		}
		_ = out.Encode(map[string]any{"ok": result})
	}
}
