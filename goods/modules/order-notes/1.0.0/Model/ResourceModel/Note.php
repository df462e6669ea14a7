<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Model\ResourceModel;

use Magento\Framework\Model\ResourceModel\Db\AbstractDb;

class Note extends AbstractDb
{
    protected function _construct(): void
    {
        $this->_init('fernhill_order_note', 'note_id');
    }
}
