// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"sync"
)

const (
	mimePNG   = "image/png"
	pixelSize = 8  // pixels, a side
	logoSize  = 64 // pixels, a side
)

var (
	ink   = color.NRGBA{R: 0x1f, G: 0x6f, B: 0xeb, A: 0xff}
	paper = color.NRGBA{} // transparent, to look right on any background
)

// pixelPNG is a frame of ink, drawn rather than embedded so that the repository holds
// no binary file. Callers must not change the slice: it is shared.
var pixelPNG = sync.OnceValue(func() []byte {
	return draw(pixelSize, func(x, y int) bool {
		return x == 0 || y == 0 || x == pixelSize-1 || y == pixelSize-1
	})
})

// logoPNG shows two dots and the bar that connects them. Callers must not change the
// slice: it is shared.
var logoPNG = sync.OnceValue(func() []byte {
	const radius, bar = 12, 3
	disc := func(x, y, cx int) bool {
		dx, dy := x-cx, y-logoSize/2
		return dx*dx+dy*dy <= radius*radius
	}
	return draw(logoSize, func(x, y int) bool {
		onBar := y >= logoSize/2-bar && y < logoSize/2+bar && x > radius && x < logoSize-radius
		return onBar || disc(x, y, radius+1) || disc(x, y, logoSize-radius-2)
	})
})

func draw(size int, inked func(x, y int) bool) []byte {
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{paper, ink})
	for y := range size {
		for x := range size {
			if inked(x, y) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic("demo: " + err.Error()) // a buffer takes everything and the image is valid
	}
	return out.Bytes()
}
