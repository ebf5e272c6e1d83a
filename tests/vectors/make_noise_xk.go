// Makes noise_xk.json with github.com/flynn/noise (Debian: golang-github-flynn-noise-dev), which shares no code with
// this project and none with libcrypto. Run it by scripts/make-noise-vectors. Its output depends on nothing: keys and
// payloads are SHA-256 of their names.
//
// The form is that of the common Noise vector files, with three additions: `sender` of each message, so that one side
// may speak twice; `initiator_stream` and `responder_stream`, the bytes of each side as this project puts them on a
// stream; and messages after the handshake may be empty (keepalives).
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/flynn/noise"
)

type message struct {
	Sender     string `json:"sender"`
	Payload    string `json:"payload"`
	Ciphertext string `json:"ciphertext"`
}

type vector struct {
	Name            string    `json:"name"`
	ProtocolName    string    `json:"protocol_name"`
	InitPrologue    string    `json:"init_prologue"`
	InitStatic      string    `json:"init_static"`
	InitEphemeral   string    `json:"init_ephemeral"`
	InitRemote      string    `json:"init_remote_static"`
	RespPrologue    string    `json:"resp_prologue"`
	RespStatic      string    `json:"resp_static"`
	RespEphemeral   string    `json:"resp_ephemeral"`
	HandshakeHash   string    `json:"handshake_hash"`
	InitiatorStream string    `json:"initiator_stream"`
	ResponderStream string    `json:"responder_stream"`
	Messages        []message `json:"messages"`
}

// What a conversation says: who, and how many bytes.
type turn struct {
	initiator bool
	size      int
}

var suite = noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// made returns `size` bytes that depend on `name` only.
func made(name string, size int) []byte {
	var out []byte
	for i := 0; len(out) < size; i++ {
		block := sha256.Sum256([]byte(fmt.Sprintf("%s/%d", name, i)))
		out = append(out, block[:]...)
	}
	return out[:size]
}

func keypair(secret []byte) noise.DHKey {
	key, err := suite.GenerateKeypair(bytes.NewReader(secret))
	must(err)
	return key
}

func frame(stream []byte, body []byte) []byte {
	stream = binary.BigEndian.AppendUint16(stream, uint16(len(body)))
	return append(stream, body...)
}

func converse(name string, prologue []byte, payloadSizes [3]int, turns []turn) vector {
	initStatic, respStatic := made(name+"/init_static", 32), made(name+"/resp_static", 32)
	initEphemeral, respEphemeral := made(name+"/init_ephemeral", 32), made(name+"/resp_ephemeral", 32)
	server := keypair(respStatic).Public
	initiator, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeXK, Initiator: true,
		Random: bytes.NewReader(initEphemeral), Prologue: prologue, StaticKeypair: keypair(initStatic), PeerStatic: server})
	must(err)
	responder, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeXK,
		Random: bytes.NewReader(respEphemeral), Prologue: prologue, StaticKeypair: keypair(respStatic)})
	must(err)

	v := vector{Name: name, ProtocolName: "Noise_XK_25519_ChaChaPoly_BLAKE2s",
		InitPrologue: hex.EncodeToString(prologue), RespPrologue: hex.EncodeToString(prologue),
		InitStatic: hex.EncodeToString(initStatic), InitEphemeral: hex.EncodeToString(initEphemeral),
		InitRemote: hex.EncodeToString(server),
		RespStatic: hex.EncodeToString(respStatic), RespEphemeral: hex.EncodeToString(respEphemeral)}
	var streams [2][]byte // responder, initiator
	said := func(byInitiator bool, payload, ciphertext []byte) {
		sender, at := "responder", 0
		if byInitiator {
			sender, at = "initiator", 1
		}
		v.Messages = append(v.Messages, message{sender, hex.EncodeToString(payload), hex.EncodeToString(ciphertext)})
		streams[at] = frame(streams[at], ciphertext)
	}

	var toResponder, toInitiator *noise.CipherState
	for i, size := range payloadSizes {
		from, to := initiator, responder
		if i == 1 {
			from, to = responder, initiator
		}
		payload := made(fmt.Sprintf("%s/handshake/%d", name, i), size)
		ciphertext, first, second, err := from.WriteMessage(nil, payload)
		must(err)
		opened, _, _, err := to.ReadMessage(nil, ciphertext)
		must(err)
		if !bytes.Equal(opened, payload) {
			panic("handshake payload")
		}
		said(i != 1, payload, ciphertext)
		if i == 2 {
			toResponder, toInitiator = first, second
		}
	}
	v.HandshakeHash = hex.EncodeToString(initiator.ChannelBinding())
	if !bytes.Equal(initiator.ChannelBinding(), responder.ChannelBinding()) {
		panic("handshake hash")
	}
	for i, turn := range turns {
		cipher := toInitiator
		if turn.initiator {
			cipher = toResponder
		}
		payload := made(fmt.Sprintf("%s/transport/%d", name, i), turn.size)
		ciphertext, err := cipher.Encrypt(nil, nil, payload)
		must(err)
		said(turn.initiator, payload, ciphertext)
	}
	v.ResponderStream, v.InitiatorStream = hex.EncodeToString(streams[0]), hex.EncodeToString(streams[1])
	return v
}

func main() {
	ours := []byte("dsoftbus/remote-statefs/1")
	alternating := func(sizes ...int) []turn {
		var turns []turn
		for i, size := range sizes {
			turns = append(turns, turn{i%2 == 0, size})
		}
		return turns
	}
	edges := alternating(0, 0, 1, 1, 15, 15, 16, 16, 17, 17, 63, 63, 64, 64, 65, 65, 127, 128, 129, 255, 256, 257, 1000, 4096)
	// Past 256 messages in one direction a second byte of the nonce counts.
	var many []turn
	for i := 0; i < 300; i++ {
		many = append(many, turn{true, i % 5})
	}
	many = append(many, turn{false, 32}, turn{false, 0}, turn{true, 32})

	vectors := []vector{
		converse("channel, short conversation", ours, [3]int{}, alternating(20, 40, 0, 0, 16)),
		converse("channel, responder speaks first and twice", ours, [3]int{}, []turn{{false, 8}, {false, 9}, {true, 10}}),
		converse("channel, every edge of a block", ours, [3]int{}, edges),
		converse("channel, nonce above one byte", ours, [3]int{}, many),
		converse("channel, handshake only", ours, [3]int{}, nil),
		converse("payloads in the handshake", ours, [3]int{16, 15, 11}, alternating(11, 17, 21)),
		converse("no prologue", nil, [3]int{}, alternating(5, 5)),
		converse("another prologue", []byte("dsoftbus/remote-statefs/2"), [3]int{}, alternating(5, 5)),
		converse("long prologue and payloads", made("prologue", 300), [3]int{200, 100, 500}, alternating(64, 64)),
		converse("one payload in the first message", ours, [3]int{1, 0, 0}, alternating(3)),
		converse("one payload in the second message", ours, [3]int{0, 1, 0}, alternating(3)),
		converse("one payload in the third message", ours, [3]int{0, 0, 1}, alternating(3)),
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	must(out.Encode(map[string]interface{}{"vectors": vectors}))
}
