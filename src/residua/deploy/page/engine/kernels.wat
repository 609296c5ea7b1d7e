;; Convolutions and linear layers, the one kernel of the page's engine: y = x * w + b, four pixels by eight channels.
;;
;; x: pictures (H, W, C) with their padding around them; a window's row is `run` = kernel * C numbers that lie side by
;; side. w: panels of eight output channels, each (kernel, run, 8); b: (panels, 8). y: (pixels, channels), of which the
;; last panel writes past the end of a pixel: panels are computed from the last to the first, and pixels in their
;; order, so what comes over is written over, and behind y eight numbers must be free.
(module
  (import "page" "memory" (memory 1))
  (func (export "convolve")
    (param $x i32) (param $w i32) (param $b i32) (param $y i32)
    (param $pixels i32)       ;; of y
    (param $width i32)        ;; of y's rows, in pixels
    (param $across i32)       ;; from one window to the next in x, in bytes
    (param $down i32)         ;; from one row of windows to the next in x, in bytes
    (param $row i32)          ;; from one row of x to the next, in bytes
    (param $kernel i32)       ;; rows of a window
    (param $run i32)          ;; numbers in a row of a window
    (param $panels i32)
    (param $channels i32)     ;; of y, in bytes
    (param $relu i32)         ;; 1 to rectify
    (local $pixel i32) (local $last i32) (local $rows i32) (local $numbers i32) (local $back i32)
    (local $x0 i32) (local $x1 i32) (local $x2 i32) (local $x3 i32) (local $at i32)
    (local $u v128) (local $v v128) (local $s v128) (local $least v128) (local $zero v128)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128)
    (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128)
    ;; Sums of whole rows of the window: of so many numbers, each sum is rounded less often.
    (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local $d0 v128) (local $d1 v128) (local $d2 v128) (local $d3 v128)
    (local.set $last (i32.sub (local.get $pixels) (i32.const 1)))
    ;; From the end of a window's row to the beginning of the next.
    (local.set $back (i32.sub (local.get $row) (i32.shl (local.get $run) (i32.const 2))))
    ;; The least that y can be: 0 or minus infinity.
    (local.set $least
      (f32x4.splat (select (f32.const 0) (f32.const -inf) (local.get $relu))))
    (loop $panel
      (local.set $panels (i32.sub (local.get $panels) (i32.const 1)))
      (local.set $pixel (i32.const 0))
      (loop $four
        ;; Where the windows of four pixels begin; behind the last one it is computed again.
        (local.set $x0 (call $window (local.get $x) (local.get $pixel) (i32.const 0) (local.get $last)
          (local.get $width) (local.get $across) (local.get $down)))
        (local.set $x1 (call $window (local.get $x) (local.get $pixel) (i32.const 1) (local.get $last)
          (local.get $width) (local.get $across) (local.get $down)))
        (local.set $x2 (call $window (local.get $x) (local.get $pixel) (i32.const 2) (local.get $last)
          (local.get $width) (local.get $across) (local.get $down)))
        (local.set $x3 (call $window (local.get $x) (local.get $pixel) (i32.const 3) (local.get $last)
          (local.get $width) (local.get $across) (local.get $down)))
        (local.set $at (i32.add (local.get $b) (i32.shl (local.get $panels) (i32.const 5))))
        (local.set $c0 (v128.load (local.get $at)))
        (local.set $d0 (v128.load offset=16 (local.get $at)))
        (local.set $c1 (local.get $c0)) (local.set $d1 (local.get $d0))
        (local.set $c2 (local.get $c0)) (local.set $d2 (local.get $d0))
        (local.set $c3 (local.get $c0)) (local.set $d3 (local.get $d0))
        (local.set $at (i32.add (local.get $w)
          (i32.mul (local.get $panels) (i32.shl (i32.mul (local.get $kernel) (local.get $run)) (i32.const 5)))))
        (local.set $rows (local.get $kernel))
        (loop $window_row
          (local.set $numbers (local.get $run))
          (local.set $a0 (local.get $zero)) (local.set $b0 (local.get $zero))
          (local.set $a1 (local.get $zero)) (local.set $b1 (local.get $zero))
          (local.set $a2 (local.get $zero)) (local.set $b2 (local.get $zero))
          (local.set $a3 (local.get $zero)) (local.set $b3 (local.get $zero))
          (loop $number
            (local.set $u (v128.load (local.get $at)))
            (local.set $v (v128.load offset=16 (local.get $at)))
            (local.set $s (v128.load32_splat (local.get $x0)))
            (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $s) (local.get $u))))
            (local.set $b0 (f32x4.add (local.get $b0) (f32x4.mul (local.get $s) (local.get $v))))
            (local.set $s (v128.load32_splat (local.get $x1)))
            (local.set $a1 (f32x4.add (local.get $a1) (f32x4.mul (local.get $s) (local.get $u))))
            (local.set $b1 (f32x4.add (local.get $b1) (f32x4.mul (local.get $s) (local.get $v))))
            (local.set $s (v128.load32_splat (local.get $x2)))
            (local.set $a2 (f32x4.add (local.get $a2) (f32x4.mul (local.get $s) (local.get $u))))
            (local.set $b2 (f32x4.add (local.get $b2) (f32x4.mul (local.get $s) (local.get $v))))
            (local.set $s (v128.load32_splat (local.get $x3)))
            (local.set $a3 (f32x4.add (local.get $a3) (f32x4.mul (local.get $s) (local.get $u))))
            (local.set $b3 (f32x4.add (local.get $b3) (f32x4.mul (local.get $s) (local.get $v))))
            (local.set $at (i32.add (local.get $at) (i32.const 32)))
            (local.set $x0 (i32.add (local.get $x0) (i32.const 4)))
            (local.set $x1 (i32.add (local.get $x1) (i32.const 4)))
            (local.set $x2 (i32.add (local.get $x2) (i32.const 4)))
            (local.set $x3 (i32.add (local.get $x3) (i32.const 4)))
            (br_if $number
              (local.tee $numbers (i32.sub (local.get $numbers) (i32.const 1)))))
          (local.set $c0 (f32x4.add (local.get $c0) (local.get $a0)))
          (local.set $d0 (f32x4.add (local.get $d0) (local.get $b0)))
          (local.set $c1 (f32x4.add (local.get $c1) (local.get $a1)))
          (local.set $d1 (f32x4.add (local.get $d1) (local.get $b1)))
          (local.set $c2 (f32x4.add (local.get $c2) (local.get $a2)))
          (local.set $d2 (f32x4.add (local.get $d2) (local.get $b2)))
          (local.set $c3 (f32x4.add (local.get $c3) (local.get $a3)))
          (local.set $d3 (f32x4.add (local.get $d3) (local.get $b3)))
          (local.set $x0 (i32.add (local.get $x0) (local.get $back)))
          (local.set $x1 (i32.add (local.get $x1) (local.get $back)))
          (local.set $x2 (i32.add (local.get $x2) (local.get $back)))
          (local.set $x3 (i32.add (local.get $x3) (local.get $back)))
          (br_if $window_row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (call $store (call $place (local.get $y) (local.get $pixel) (i32.const 0) (local.get $last)
          (local.get $channels) (local.get $panels)) (local.get $c0) (local.get $d0) (local.get $least))
        (call $store (call $place (local.get $y) (local.get $pixel) (i32.const 1) (local.get $last)
          (local.get $channels) (local.get $panels)) (local.get $c1) (local.get $d1) (local.get $least))
        (call $store (call $place (local.get $y) (local.get $pixel) (i32.const 2) (local.get $last)
          (local.get $channels) (local.get $panels)) (local.get $c2) (local.get $d2) (local.get $least))
        (call $store (call $place (local.get $y) (local.get $pixel) (i32.const 3) (local.get $last)
          (local.get $channels) (local.get $panels)) (local.get $c3) (local.get $d3) (local.get $least))
        (br_if $four (i32.lt_u
          (local.tee $pixel (i32.add (local.get $pixel) (i32.const 4)))
          (local.get $pixels))))
      (br_if $panel (local.get $panels))))

  ;; The lesser of two numbers.
  (func $min (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))

  ;; Where the window of a pixel begins in x: that of `pixel` + `more`, at most the last.
  (func $window
    (param $x i32) (param $pixel i32) (param $more i32) (param $last i32)
    (param $width i32) (param $across i32) (param $down i32) (result i32)
    (local.set $pixel (call $min (i32.add (local.get $pixel) (local.get $more)) (local.get $last)))
    (i32.add (local.get $x)
      (i32.add
        (i32.mul (i32.div_u (local.get $pixel) (local.get $width)) (local.get $down))
        (i32.mul (i32.rem_u (local.get $pixel) (local.get $width)) (local.get $across)))))

  ;; Where a panel of a pixel lies in y.
  (func $place
    (param $y i32) (param $pixel i32) (param $more i32) (param $last i32)
    (param $channels i32) (param $panel i32) (result i32)
    (i32.add (i32.add (local.get $y) (i32.shl (local.get $panel) (i32.const 5)))
      (i32.mul (call $min (i32.add (local.get $pixel) (local.get $more)) (local.get $last))
        (local.get $channels))))

  ;; Eight numbers, none below the least.
  (func $store (param $at i32) (param $a v128) (param $b v128) (param $least v128)
    (v128.store (local.get $at) (f32x4.pmax (local.get $a) (local.get $least)))
    (v128.store offset=16 (local.get $at) (f32x4.pmax (local.get $b) (local.get $least)))))
