// Reads the test vectors with the Go of docs/protocol.md: the header of each, its levels, and the checksums of whole images.

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

type level struct{ Price, Qty string }

type told struct {
	Header struct {
		Epoch string
		Seq   string
		Kind  int
	}
	Bids, Asks []level
	Check      *struct {
		TopCrc uint32 `json:"top_crc"`
		AllCrc uint32 `json:"all_crc"`
	}
	Info *struct {
		ChunkCount int `json:"chunk_count"`
	}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var file struct {
		Vectors []struct {
			Name  string
			Hex   string
			Frame told
		}
	}
	must(json.Unmarshal(text, &file))
	for _, v := range file.Vectors {
		frame, err := hex.DecodeString(v.Hex)
		must(err)
		read(v.Name, frame, v.Frame)
		// One that is cut is an error, and never a crash.
		for size := 12; size < len(frame); size++ {
			for entry := 4; entry < 40; entry += 2 {
				structure(frame[:size], entry, 64)
				vector(frame[:size], entry, 16)
			}
		}
	}
	fmt.Println(len(file.Vectors), "vectors")
}

func read(name string, f []byte, t told) {
	header, err := structure(f, 4, 64)
	must(err)
	expect(name, strconv.FormatUint(le.Uint64(header), 10), t.Header.Epoch)
	expect(name, strconv.FormatUint(le.Uint64(header[8:]), 10), t.Header.Seq)
	expect(name, strconv.Itoa(int(header[60])), strconv.Itoa(t.Header.Kind))
	var sides [2][]byte
	for at, levels := range [2][]level{t.Bids, t.Asks} {
		side, err := vector(f, 12+2*at, 16)
		must(err)
		expect(name, strconv.Itoa(len(side)/16), strconv.Itoa(len(levels)))
		for i, l := range levels {
			expect(name, strconv.FormatInt(int64(le.Uint64(side[16*i:])), 10), l.Price)
			expect(name, strconv.FormatInt(int64(le.Uint64(side[16*i+8:])), 10), l.Qty)
		}
		sides[at] = side
	}
	if t.Check != nil && t.Info != nil && t.Info.ChunkCount == 1 && len(sides[0]) > 0 {
		top, all := checks(sides[0], sides[1])
		expect(name, fmt.Sprint(top, all), fmt.Sprint(t.Check.TopCrc, t.Check.AllCrc))
	}
}

func expect(name, got, want string) {
	if got != want {
		must(fmt.Errorf("%s: %s, not %s", name, got, want))
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
