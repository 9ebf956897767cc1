// Answers what kubectl sends for a file: one file a line, as the hex digits of its bytes, one JSON
// answer a line.
//
// The answer is {"ok": [JSON of an object, …]} or {"error": …}. The file is read as
// k8s.io/cli-runtime/pkg/resource reads it (FileVisitor and StreamVisitor).
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func objects(file []byte) ([]string, error) {
	utf := unicode.BOMOverride(unicode.UTF8.NewDecoder())
	decoded := transform.NewReader(bytes.NewReader(file), utf)
	decoder := yaml.NewYAMLOrJSONDecoder(decoded, 4096)
	found := []string{}
	for {
		var object runtime.RawExtension
		if err := decoder.Decode(&object); err != nil {
			if errors.Is(err, io.EOF) {
				return found, nil
			}
			return nil, err
		}
		raw := bytes.TrimSpace(object.Raw)
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		found = append(found, string(raw))
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		file, err := hex.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		found, err := objects(file)
		if err != nil {
			_ = out.Encode(map[string]string{"error": err.Error()})
			continue
		}
		_ = out.Encode(map[string]any{"ok": found})
	}
}
